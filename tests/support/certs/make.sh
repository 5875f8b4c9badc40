#!/bin/sh
# Makes the certificates that the tests use: an authority, a server and a client of it, and a client of somebody else's.
set -eu
cd "$(dirname "$0")"
days=36500
authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj "/CN=$2" -keyout "$1.key" -out "$1.pem"; }
issue() { # authority, file, common name, subjectAltName
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" -keyout "$2.key" -out "$2.csr"
  printf 'subjectAltName=%s\n' "$4" > "$2.ext"
  openssl x509 -req -in "$2.csr" -CA "$1.pem" -CAkey "$1.key" -CAcreateserial -days $days -extfile "$2.ext" -out "$2.pem"
}
authority ca "test authority"
authority foreign-ca "foreign authority"
issue ca server localhost "DNS:localhost,IP:127.0.0.1"
issue ca client edge-1 "URI:spiffe://test/edge-1,DNS:edge-1"
issue foreign-ca foreign-client edge-1 "URI:spiffe://test/edge-1"
rm -f ./*.csr ./*.ext ./*.srl ca.key foreign-ca.key
