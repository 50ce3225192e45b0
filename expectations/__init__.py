"""What stands between computed tables and anyone who could be paid from them."""
