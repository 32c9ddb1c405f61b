#!/usr/bin/env bash
# DV certificate, domain proven by a TXT record; CSR and agreement one after the other, every format downloaded.
source "$(dirname "$0")/lib.sh"

name=$(fresh_name)
body=$(jq -n --arg name "$name" --argjson requestor "$requestor" \
  '{productVariant: "dv", $requestor, certificate: {domain: $name, autoSecureWww: false}}')
order=$(call 201 POST /ssl-certificates "$body" | jq -er .orderId)
expect 'the status' "$(status_of ssl-certificates "$order")" pending-dcv

prove_by_dns "$order" "$name"
expect 'the status' "$(status_of ssl-certificates "$order")" pending-csr

call 204 PUT "/ssl-certificates/$order/csr" "$(jq -n --arg csr "$(make_request "$name")" '{$csr, attested: true}')"
expect 'the status' "$(status_of ssl-certificates "$order")" pending-agreement

call 204 POST "/ssl-certificates/$order/agreement" "$(jq -n --argjson agreement "$agreement" '{$agreement}')"
expect 'the status' "$(status_of ssl-certificates "$order")" issued

download ssl-certificates "$order"
expect 'the name' "$(openssl x509 -in "$work/leaf.pem" -noout -ext subjectAltName | tail -1 | tr -d ' ')" "DNS:$name"
call 200 GET "/ssl-certificates/$order/certificate?format=der" >"$work/leaf.der"
cmp -s "$work/leaf.der" <(openssl x509 -in "$work/leaf.pem" -outform DER) || fail 'DER and JSON differ'
call 200 GET "/ssl-certificates/$order/certificate" '' -H 'Accept: application/x-pem-file' >"$work/bundle.pem"
cmp -s <(openssl x509 -in "$work/bundle.pem" -outform DER) "$work/leaf.der" || fail 'PEM and DER differ'
