"""Where images come from: the catalogue, and the builders of images that are not pulled."""
