#!/usr/bin/env bash
# OV certificate of a pre-vetted organization: with its token at once, without it after approval.
source "$(dirname "$0")/lib.sh"

members() { # FILTER over {number, token}
  jq -n --arg number "$(ready .organizationNumber)" --arg token "$(ready .preVettingToken)" \
    '{productVariant: "ov", organization: ({organizationNumber: $number} + '"$1"')}'
}

name=$(fresh_name)
order=$(order_ssl "$name" "$(members '{preVetted: true, preVettingToken: $token}')")
prove_by_dns "$order" "$name"
expect 'the status with the token' "$(status_of ssl-certificates "$order")" issued
download ssl-certificates "$order"
openssl x509 -in "$work/leaf.pem" -noout -subject | grep -q 'O = ' || fail 'the subject has no organization'

name=$(fresh_name)
order=$(order_ssl "$name" "$(members '{}')")
prove_by_dns "$order" "$name"
expect 'the status without the token' "$(status_of ssl-certificates "$order")" pending-approval
steer POST "/orders/$order/approve" >/dev/null
expect 'the status after approval' "$(status_of ssl-certificates "$order")" issued
download ssl-certificates "$order"
