# The process of a destination, in its own Consul.
key_prefix "vsync/destination/" { policy = "write" }
key_prefix "vsync/nodes/"       { policy = "write" }
key_prefix "vsync/approvals/"   { policy = "read" }
