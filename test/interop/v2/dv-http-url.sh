#!/usr/bin/env bash
# DV certificate, domain proven by a file on its web server.
source "$(dirname "$0")/lib.sh"

name=$(fresh_name)
order=$(order_ssl "$name")
challenge=$(call 200 GET "/ssl-certificates/$order/dcv?method=http-url")
file=$(jq --arg host "$name" '{$host, path: "/.well-known/pki-validation/\(.fileName)", body: .fileToken}' <<<"$challenge")
steer PUT /http/files "$file" >/dev/null
expect 'the verification' "$(verify "$order" "$name" http-url)" VERIFIED
expect 'the status' "$(status_of ssl-certificates "$order")" issued
download ssl-certificates "$order"
