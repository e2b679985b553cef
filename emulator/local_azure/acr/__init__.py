"""Azure Container Registry's data plane: rights to pull, and the images."""
