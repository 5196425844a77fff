"""A release in the formats of others: WebDataset, Parquet, FreiHAND, InterHand2.6M, COCO, HaMeR, meshes."""
