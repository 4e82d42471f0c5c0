//! A machine from the outside: what an address serves, and how many masters of a server run.

/// Shell functions; `live` and `old` are set by the script: the path of the chain that is deployed,
/// and the serial number that it had before.
pub const FUNCTIONS: &str = r#"
serial_of() { openssl x509 -noout -serial -in $1; }
# PORT [PROCESS]: the serial number that the port serves, in the network of a process.
serial_at() {
  enter=; [ -z "$2" ] || enter="nsenter -t $2 -n"
  $enter timeout 5 openssl s_client -connect 127.0.0.1:$1 -servername example.com </dev/null 2>/dev/null |
    openssl x509 -noout -serial 2>/dev/null || echo none
}
wait_for() {
  for attempt in $(seq 100); do [ "$(serial_at $1 $2)" = none ] || return 0; sleep 0.1; done
  echo "nothing serves port $1"; exit 99
}
# NAME: how many processes of this name run that no process of the same name has started.
masters() {
  found=0
  for folder in /proc/[0-9]*; do
    { read -r name <$folder/comm && read -r stat <$folder/stat; } 2>/dev/null || continue
    [ "$name" = "$1" ] || continue
    rest=${stat##*) }; state=${rest%% *}; rest=${rest#* }; parent=${rest%% *}
    [ "$state" != Z ] || continue
    above=; { read -r above </proc/$parent/comm; } 2>/dev/null || true
    [ "$above" = "$1" ] || found=$((found + 1))
  done
  echo $found
}
# NAME COUNT: the same, once processes that were replaced have finished.
settled() {
  for attempt in $(seq 100); do [ "$(masters $1)" != $2 ] || break; sleep 0.1; done
  masters $1
}
# PORT [PROCESS]
report() {
  serial=$(serial_at $1 $2); what=other
  [ "$serial" != "$(serial_of $live)" ] || what=new
  [ "$serial" != "$old" ] || what=old
  echo "$1 $what"
}
"#;
