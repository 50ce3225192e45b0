"""What SQL needs and an engine does not have: distribution functions and the words of a sentence.

Every function is pure and works on whole columns. ``macros/engine/functions.sql`` calls them; on DuckDB the plugin of
``profiles.yml`` registers them on the connection.
"""
