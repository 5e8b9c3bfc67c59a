# The process of an origin, in its Consul.
key_prefix "vsync/origin/" { policy = "write" }
key_prefix "vsync/nodes/"  { policy = "write" }
key_prefix "vsync/approvals/" { policy = "read" }
