"""What a policy costs on a device."""
