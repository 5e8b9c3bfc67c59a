# The process of a destination, in the Consul of the origin.
key_prefix "vsync/origin/" { policy = "read" }
