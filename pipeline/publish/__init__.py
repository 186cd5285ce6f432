"""Publishing: what passed goes to a registry, and the registry's answer is the digest that is reported."""
