"""The backtest of the forecast: how often its interval holds what came, and its error."""
