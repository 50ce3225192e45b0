"""Customers who must be forgotten: who they were is kept nowhere, what they bought and said in scores stays counted."""
