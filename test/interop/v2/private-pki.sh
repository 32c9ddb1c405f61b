#!/usr/bin/env bash
# Private PKI certificate in one call.
source "$(dirname "$0")/lib.sh"

name=h$(openssl rand -hex 6).corp.internal
body=$(jq -n --arg name "$name" --arg csr "$(make_request "$name")" --argjson requestor "$requestor" \
  '{variant: "intranet-ssl", hostname: $name, additionalHosts: ["10.20.0.15"], $requestor, $csr}')
order=$(call 201 POST /private-pki-certificates "$body" | jq -er .orderId)
expect 'the status' "$(status_of private-pki-certificates "$order")" issued
download private-pki-certificates "$order"
names=$(openssl x509 -in "$work/leaf.pem" -noout -ext subjectAltName)
[[ $names == *"DNS:$name"* && $names == *'IP Address:10.20.0.15'* ]] || fail "the names are $names"
