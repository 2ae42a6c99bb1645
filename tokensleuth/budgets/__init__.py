"""Budgets of scopes: what was set, how spend stands against it, when it will be crossed, and what to tell."""
