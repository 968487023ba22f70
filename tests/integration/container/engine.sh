# A Docker engine of its own, for the scripts beside it: sourced, after `set -euo pipefail`. Needs root and the packages
# docker.io and debootstrap. All that it has is in one temporary folder and on a bridge of its own, and goes when the script ends.
#
#   engine_start         starts it and imports a bare debian:bookworm; $engine_folder is then the folder
#   engine ARGUMENT...   docker, on that engine
#   engine_admit BRIDGE  lets containers on another bridge of the engine reach each other
#
# MALLARD_KEEP=1 keeps the folder.
# shellcheck shell=bash

engine_folder=
engine_pid=
engine_bridge=mlc$$
engine_net=172.29.$(($$ % 250)).0/24

# Exits with 77, which says that nothing was checked, where an engine cannot be had.
engine_require() {
  local tool
  for tool in dockerd debootstrap iptables "$@"; do
    if [[ $(id -u) -ne 0 ]] || ! command -v "$tool" >/dev/null; then
      echo "nothing was checked: this needs root, docker.io, debootstrap, iptables${1:+ and $*}"
      exit 77
    fi
  done
}

# The machine's own rules may be those of another engine, which lets nothing pass between bridges that it does not know.
engine_admitted=()
engine_admit() {
  iptables -w -I FORWARD -i "$1" -o "$1" -j ACCEPT
  engine_admitted+=("$1")
}

engine() { docker -H "unix://$engine_folder/socket" "$@"; }

engine_stop() {
  if [[ -n $engine_pid ]]; then
    kill "$engine_pid" && wait "$engine_pid" || true
  fi
  local bridge
  for bridge in "${engine_admitted[@]}"; do
    iptables -w -D FORWARD -i "$bridge" -o "$bridge" -j ACCEPT || true
  done
  iptables -w -D FORWARD -i "$engine_bridge" -j ACCEPT || true
  iptables -w -D FORWARD -o "$engine_bridge" -j ACCEPT || true
  iptables -w -t nat -D POSTROUTING -s "$engine_net" ! -o "$engine_bridge" -j MASQUERADE || true
  ip link delete "$engine_bridge" || true
  if [[ -z ${MALLARD_KEEP:-} ]]; then rm -rf "$engine_folder"; else echo "kept: $engine_folder" >&3; fi
} 3>&1 2>>"$engine_folder/cleanup.log"

engine_start() {
  engine_folder=$(mktemp -d /tmp/mallard-container-XXXXXX)
  trap engine_stop EXIT
  trap 'exit 130' INT TERM
  ip link add "$engine_bridge" type bridge
  ip address add "${engine_net%.0/24}.1/24" dev "$engine_bridge"
  ip link set "$engine_bridge" up
  iptables -w -I FORWARD -i "$engine_bridge" -j ACCEPT
  iptables -w -I FORWARD -o "$engine_bridge" -j ACCEPT
  iptables -w -t nat -A POSTROUTING -s "$engine_net" ! -o "$engine_bridge" -j MASQUERADE

  echo "engine and base image ..."
  dockerd --data-root "$engine_folder/data" --exec-root "$engine_folder/exec" --pidfile "$engine_folder/dockerd.pid" \
    -H "unix://$engine_folder/socket" --bridge "$engine_bridge" --iptables=false --ip-masq=false \
    >"$engine_folder/dockerd.log" 2>&1 &
  engine_pid=$!
  debootstrap --variant=minbase bookworm "$engine_folder/root" >"$engine_folder/debootstrap.log" 2>&1
  tar -C "$engine_folder/root" -c . | engine import - debian:bookworm >/dev/null
}
