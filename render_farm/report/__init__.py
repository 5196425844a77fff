"""What a release costs, and how far it is: forecasts, status, metrics; reads folders only."""
