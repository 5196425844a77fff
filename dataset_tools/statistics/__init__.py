"""What a release covers, in numbers and plots: poses, cameras, hands, looks, occlusion, and its pictures."""
