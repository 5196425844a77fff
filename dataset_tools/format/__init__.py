"""What a shard holds: the schema, the codecs, and the page that documents both."""
