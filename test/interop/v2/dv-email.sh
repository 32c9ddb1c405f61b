#!/usr/bin/env bash
# DV certificate, domain proven by the link in a mail to its administrator.
source "$(dirname "$0")/lib.sh"

name=$(fresh_name)
order=$(order_ssl "$name")
call 200 GET "/ssl-certificates/$order/dcv?method=email" >"$work/challenge.json"
jq -e --arg to "admin@$name" '.emailAddresses | index($to)' "$work/challenge.json" >/dev/null || fail 'admin gets no mail'

link=$(steer GET "/mail?to=admin@$name&wait=20" | jq -er '.messages[-1].links[0]')
curl -sS --fail --cacert "$root" "$link" | grep -qi '<form' || fail 'the page has no confirm button'
expect 'the status' "$(status_of ssl-certificates "$order")" pending-dcv
curl -sS --fail --cacert "$root" -X POST -d '' "$link" >/dev/null
expect 'the status' "$(status_of ssl-certificates "$order")" issued
download ssl-certificates "$order"
