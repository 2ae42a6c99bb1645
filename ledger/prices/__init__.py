"""What tokens cost: the dated price book, the operator's overrides, and the pricing of ledger cells."""
