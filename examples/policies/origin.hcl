# The process of an origin: lists and metadata, never a value.
path "secret/metadata/*"       { capabilities = ["list", "read"] }
path "team/kv/metadata/*"      { capabilities = ["list", "read"] }

# What a token without the `default` policy needs for itself.
path "auth/token/lookup-self"  { capabilities = ["read"] }
path "auth/token/renew-self"   { capabilities = ["update"] }
path "sys/capabilities-self"   { capabilities = ["update"] }
