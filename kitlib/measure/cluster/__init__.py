"""The cluster itself: its control plane, its DNS, the life of a pod."""
