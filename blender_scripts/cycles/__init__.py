"""Everything that calls bpy: scene, materials, passes, denoising."""
