#!/bin/bash
# A slapd of the test's own, in the foreground: private_slapd.sh DIR PORT TLS_PORT [LDIF...]
#
# The first start in DIR makes certificates (DIR/ca.crt is what clients trust, DIR/other.crt nobody's), the
# configuration with the project's schema, and the entries of deploy/ldap/example.ldif and of the files named. Only
# cn=hub may read; the administrator is cn=admin,dc=example,dc=test, password "admin".
set -euo pipefail
dir=$1 port=$2 tls_port=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
deploy=$here/../../../deploy/ldap

certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
    -keyout "$dir/$1.key" -out "$dir/$1.crt" 2>/dev/null
}

prepare() {
  mkdir -p "$dir/config" "$dir/data"
  certificates ca
  certificates other
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
    -keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null
  openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") -out "$dir/server.crt" 2>/dev/null
  cat >"$dir/config.ldif" <<END
dn: cn=config
objectClass: olcGlobal
cn: config
olcTLSCACertificateFile: $dir/ca.crt
olcTLSCertificateFile: $dir/server.crt
olcTLSCertificateKeyFile: $dir/server.key

dn: cn=module,cn=config
objectClass: olcModuleList
cn: module
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif
include: file://$deploy/dumpster-schema.ldif

dn: olcDatabase={-1}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {-1}frontend

dn: olcDatabase={1}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {1}mdb
olcSuffix: dc=example,dc=test
olcRootDN: cn=admin,dc=example,dc=test
olcRootPW: admin
olcDbDirectory: $dir/data
olcDbIndex: mail,dumpsterAddress eq
olcAccess: {0}to attrs=userPassword by anonymous auth by * none
olcAccess: {1}to * by dn.exact="cn=hub,dc=example,dc=test" read by anonymous auth by * none
END
  slapadd -q -n 0 -F "$dir/config" -l "$dir/config.ldif"
  for ldif in "$deploy/example.ldif" "$@"; do
    slapadd -q -n 1 -F "$dir/config" -l "$ldif"
  done
}

[ -e "$dir/prepared" ] || { prepare "$@" && touch "$dir/prepared"; }
exec slapd -d 0 -F "$dir/config" -h "ldap://127.0.0.1:$port/ ldaps://127.0.0.1:$tls_port/"
