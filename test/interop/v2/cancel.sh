#!/usr/bin/env bash
# An order is cancelled and stays visible; a reason that is empty is refused.
source "$(dirname "$0")/lib.sh"

order=$(order_ssl "$(fresh_name)")
expect 'the code' "$(call 422 POST "/ssl-certificates/$order/cancel" '{"reason":""}' | jq -er .code)" EMS-984
call 204 POST "/ssl-certificates/$order/cancel" '{"reason":"not needed any more"}'
expect 'the status' "$(status_of ssl-certificates "$order")" cancelled
expect 'the code' "$(call 422 GET "/ssl-certificates/$order/certificate" | jq -er .code)" EMS-1165
