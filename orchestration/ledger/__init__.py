"""The ledger: periods, closed statements, adjustments, disputes and holds; append-only, hash-chained, outside DuckDB.

The warehouse can be rebuilt from extracts, what people were paid cannot: it lives in a store of its own, and every closed
statement is kept with all that it was computed from.
"""
