"""The running stack: services in dependency order behind one front."""
