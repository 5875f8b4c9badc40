#!/bin/sh
# Makes the certificates that the tests use: an authority, a server and clients of it, one of whose certificate has
# expired, and a client of somebody else's.
set -eu
cd "$(dirname "$0")"
days=36500
authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days -subj "/CN=$2" -keyout "$1.key" -out "$1.pem"; }
request() { # file, common name, subjectAltName
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr"
  { printf 'subjectAltName=%s\n' "$3"; cat names.cnf 2>/dev/null || true; } > "$1.ext"
}
issue() { # authority, file, common name, subjectAltName
  request "$2" "$3" "$4"
  openssl x509 -req -in "$2.csr" -CA "$1.pem" -CAkey "$1.key" -CAcreateserial -days $days -extfile "$2.ext" -out "$2.pem"
}
issue_expired() { # the same; `openssl x509` makes none that begin in the past
  request "$2" "$3" "$4"
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=ca.srl\nnew_certs_dir=issued\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' > ca.cnf
  mkdir issued
  : > index.txt
  openssl ca -batch -notext -config ca.cnf -startdate 20200101000000Z -enddate 20200102000000Z \
    -cert "$1.pem" -keyfile "$1.key" -in "$2.csr" -extfile "$2.ext" -out "$2.pem"
  rm -rf issued ca.cnf index.txt*
}
authority ca "test authority"
authority foreign-ca "foreign authority"
issue ca server localhost "DNS:localhost,IP:127.0.0.1"
issue ca client edge-1 "URI:spiffe://test/edge-1,DNS:edge-1"
issue ca other-client edge-2 "URI:spiffe://test/edge-2"
# A name that, in a list joined by commas, would pass for two.
printf '[names]\nURI.1=spiffe://test/none, URI:spiffe://test/edge-1\nURI.2=spiffe://test/a,b\nIP.1=::1\nemail.1=a@b\n' > names.cnf
issue ca comma-client comma @names
issue_expired ca expired-client edge-1 "URI:spiffe://test/edge-1"
issue foreign-ca foreign-client edge-1 "URI:spiffe://test/edge-1"
rm -f names.cnf ./*.csr ./*.ext ./*.srl* ca.key foreign-ca.key
