"""The fingers' joints: chains, hinges, limits, inverse and forward kinematics, penetration."""
