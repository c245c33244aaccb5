#!/bin/sh
# Brings what the launcher needs: the pinned npm packages (Node itself among them) and the bundles under build/.
# Several may run at once: one works, the others wait and find it done.
set -eu

cd "${0%/*}/.."
lock=package-lock.json
installed=node_modules/.package-lock.json # npm writes it last, so it tells a complete installation
node=node_modules/.bin/node

say() { printf 'glovebox: %s\n' "$*" >&2; }
fail() { say "$1"; shift; for line in "$@"; do printf '  hint: %s\n' "$line" >&2; done; exit 1; }

mkdir -p build || fail "cannot write to $PWD/build" 'Run it as the owner of this directory, or as root.'
if [ "${GLOVEBOX_SETUP_LOCKED:-}" != 1 ]; then
  # `-o`: what npm starts and leaves behind must not keep the lock.
  exec env GLOVEBOX_SETUP_LOCKED=1 flock -o build/setup.lock sh tools/setup.sh "$@"
fi

may_install=1
for word in "$@"; do
  case $word in
    --no-install) may_install=0 ;;
    --) break ;;
  esac
done

if [ ! -x "$node" ] || [ ! -f "$installed" ] || [ "$lock" -nt "$installed" ]; then
  [ "$may_install" = 1 ] || fail 'the npm packages of package-lock.json are not installed, and --no-install forbids it' 'npm ci --ignore-scripts --omit=dev'
  # npm empties the directory that a link leads to: another tree would lose its packages.
  [ ! -h node_modules ] || fail 'node_modules is a link, and npm ci would empty what it leads to' 'Remove the link: rm node_modules'
  command -v npm >/dev/null || fail 'npm is missing' 'apt-get install npm'
  # A developer's tree keeps its tools.
  scope=--omit=dev
  [ ! -d node_modules/typescript ] || scope=--include=dev
  say "bringing the pinned npm packages, Node 24 among them (npm ci, some 220 MB on disk; once)"
  if [ -t 2 ]; then
    npm ci --ignore-scripts "$scope" --no-audit --no-fund --progress=true >&2
  else
    npm ci --ignore-scripts "$scope" --no-audit --no-fund --loglevel=error >&2
  fi || fail 'npm ci failed (see above)' 'Is the npm registry reachable? `npm config get registry` says which is asked.'
  sh tools/link-node.sh
  [ -x "$node" ] || fail "npm brought no Node for this machine ($(uname -m))" 'Glovebox runs on x86_64 and aarch64.'
  # npm keeps the time of an unchanged file; later looks at the clock must see that this lock file is the installed one.
  touch "$installed"
fi

# Taken before the sources are read: what changes during the build makes the next launch build again.
touch build/ready.next
"$node" tools/build.ts || fail 'the build failed (see above)'
mv build/ready.next build/ready
# A lock file of this very moment is not newer than the stamp, nor is the stamp newer than it.
[ build/ready -nt "$lock" ] || touch build/ready
