"""Azure Container Registry's data plane: who may pull which image, and the images themselves."""
