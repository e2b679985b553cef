"""Azure Container Instances: container groups that pull their images with the credential stored in them."""
