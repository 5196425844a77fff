"""From linear light to what a camera stores."""
