# Shared by the scripts of this folder: a client of the API v2 made of curl, openssl and jq.
# CERTWRIGHT_READY holds the line that `certwright sandbox` prints.
set -euo pipefail

: "${CERTWRIGHT_READY:?set it to the ready line of certwright sandbox}"
ready() { jq -er "$1" <<<"$CERTWRIGHT_READY"; }

base=$(ready .baseUrl)
api=$base/api/certinext/v2
root=$(ready .caCertificate)
control=$(ready .control)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
requestor='{"name":"Interop client","email":"client@example.com"}'
agreement='{"signerName":"Interop client","signerPlace":"localhost","accepted":true}'

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# expect WHAT ACTUAL WANTED
expect() { [[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"; }

token=$(curl -sS --fail-with-body --cacert "$root" "$base/oauth/token" \
  -d grant_type=client_credentials -d "client_id=$(ready .clientId)" \
  --data-urlencode "client_secret=$(ready .clientSecret)" | jq -er .access_token)

# call STATUS METHOD PATH [BODY] [CURL OPTIONS…]: prints the body of the answer, which must have the status
call() {
  local wanted=$1 method=$2 path=$3 body=${4:-} status
  shift "$(($# < 4 ? $# : 4))"
  local arguments=(-sS --cacert "$root" -X "$method" -H "Authorization: Bearer $token" -o "$work/answer" -w '%{http_code}')
  [[ -z $body ]] || arguments+=(-H 'Content-Type: application/json' --data-binary "$body")
  status=$(curl "${arguments[@]}" "$@" "$api$path")
  [[ $status == "$wanted" ]] || fail "$method $path answers $status, not $wanted: $(cat "$work/answer")"
  cat "$work/answer"
}

# steer METHOD PATH [BODY]: calls the control API
steer() { curl -sS --fail-with-body -X "$1" -H 'Content-Type: application/json' ${3:+--data-binary "$3"} "$control$2"; }

status_of() { call 200 GET "/$1/$2" | jq -er .status; }

# fresh_name: a host name that no other run has used
fresh_name() { echo "h$(openssl rand -hex 6).example.com"; }

# make_request NAME: leaves a P-256 key in key.pem and prints the CSR
make_request() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
    -keyout "$work/key.pem" -out "$work/request.pem" 2>"$work/errors" || fail "openssl: $(cat "$work/errors")"
  cat "$work/request.pem"
}

# order_ssl NAME [MEMBERS]: places an SSL order with CSR and agreement and prints its id
order_ssl() {
  local body
  body=$(jq -n --arg name "$1" --arg csr "$(make_request "$1")" --argjson requestor "$requestor" \
    --argjson agreement "$agreement" --argjson more "${2:-{\}}" \
    '{productVariant: "dv", $requestor, certificate: {domain: $name, autoSecureWww: false}, $csr, $agreement} + $more')
  call 201 POST /ssl-certificates "$body" | jq -er .orderId
}

# prove_by_dns ORDER NAME: publishes the TXT record and verifies
prove_by_dns() {
  local challenge body
  challenge=$(call 200 GET "/ssl-certificates/$1/dcv?method=dns-txt")
  body=$(jq '{name: .dnsHost, type: "TXT", values: [.token]}' <<<"$challenge")
  steer PUT /dns/records "$body" >/dev/null
  expect 'the verification' "$(verify "$1" "$2" dns-txt)" VERIFIED
}

# verify ORDER NAME METHOD: prints the outcome
verify() {
  local body
  body=$(jq -n --arg domain "$2" --arg method "$3" '{$domain, $method}')
  call 200 POST "/ssl-certificates/$1/dcv/verify" "$body" | jq -er .status
}

# download FAMILY ORDER: leaves leaf.pem, issuer.pem and chain.pem, checked against the root and the key
download() {
  call 200 GET "/$1/$2/certificate" >"$work/certificate.json"
  jq -er .certificatePem "$work/certificate.json" >"$work/leaf.pem"
  jq -er '.chainPem[0]' "$work/certificate.json" >"$work/issuer.pem"
  jq -er '.chainPem[:-1][]' "$work/certificate.json" >"$work/chain.pem"
  openssl verify -CAfile "$root" -untrusted "$work/chain.pem" "$work/leaf.pem" >/dev/null || fail 'the chain does not hold'
  expect 'the public key' "$(openssl x509 -in "$work/leaf.pem" -noout -pubkey)" "$(openssl pkey -in "$work/key.pem" -pubout)"
}

# ocsp: prints good or revoked for the downloaded certificate; openssl verifies the answer
ocsp() {
  local url
  url=$(openssl x509 -in "$work/leaf.pem" -noout -ocsp_uri)
  openssl ocsp -issuer "$work/issuer.pem" -cert "$work/leaf.pem" -url "$url" -CAfile "$root" \
    -verify_other "$work/issuer.pem" >"$work/ocsp" 2>&1 || fail "openssl ocsp: $(cat "$work/ocsp")"
  grep -q '^Response verify OK' "$work/ocsp" || fail "OCSP: $(cat "$work/ocsp")"
  sed -n 's/^.*leaf\.pem: //p' "$work/ocsp"
}

# crl_lists: whether the CRL named in the downloaded certificate lists it; openssl verifies the CRL
crl_lists() {
  local url serial
  url=$(openssl x509 -in "$work/leaf.pem" -noout -ext crlDistributionPoints | sed -n 's/^ *URI://p')
  serial=$(openssl x509 -in "$work/leaf.pem" -noout -serial | cut -d= -f2)
  curl -sS --fail "$url" -o "$work/list.crl"
  openssl crl -inform DER -in "$work/list.crl" -CAfile <(cat "$root" "$work/issuer.pem") -noout 2>"$work/errors" ||
    fail "openssl crl: $(cat "$work/errors")"
  openssl crl -inform DER -in "$work/list.crl" -noout -text | grep -q "Serial Number: $serial"
}
