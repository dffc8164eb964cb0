"""What chapters install beside goapp: a module a stack, each from its folder in cluster/stacks, each usable alone."""
