"""What the images of the Docker wall are made of."""
