# The process of a destination, at its own Vault. Without "delete" set ignoreDeletes.
path "secret/data/*"           { capabilities = ["create", "update", "read", "delete"] }
path "team/kv/data/*"          { capabilities = ["create", "update", "read", "delete"] }

# What a token without the `default` policy needs for itself.
path "auth/token/lookup-self"  { capabilities = ["read"] }
path "auth/token/renew-self"   { capabilities = ["update"] }
path "sys/capabilities-self"   { capabilities = ["update"] }
