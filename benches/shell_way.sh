#!/bin/sh
# Does by hand what certctl does with the zip of a reseller: unpacks it, concatenates the chain, verifies it, and compares
# key and certificate. Usage, in an empty folder: shell_way.sh ZIP NAME KEY ROOT
set -eu
unzip -q "$1"
cat "$2.crt" "$2.ca-bundle" >"$2.fullchain.pem"
openssl verify -CAfile "$4" -untrusted "$2.ca-bundle" "$2.crt" >/dev/null
openssl x509 -in "$2.crt" -noout -pubkey >of-certificate.pem
openssl pkey -in "$3" -pubout >of-key.pem
cmp of-certificate.pem of-key.pem
