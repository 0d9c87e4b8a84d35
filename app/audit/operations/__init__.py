"""What is done with a trail: its entries get their places in the tree, values of a person are erased from them."""
