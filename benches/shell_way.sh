#!/bin/sh
# What people do by hand with a shop's zip: unpack, concatenate, verify, compare key and certificate.
# shell_way.sh ZIP NAME KEY ROOT, in an empty folder.
set -eu
unzip -q "$1"
cat "$2.crt" "$2.ca-bundle" >"$2.fullchain.pem"
openssl verify -CAfile "$4" -untrusted "$2.ca-bundle" "$2.crt" >/dev/null
openssl x509 -in "$2.crt" -noout -pubkey >of-certificate.pem
openssl pkey -in "$3" -pubout >of-key.pem
cmp of-certificate.pem of-key.pem
