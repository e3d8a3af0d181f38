"""On a real cluster: Kubernetes and flannel as they are, in namespaces of this machine (see reference in README)."""
