#!/usr/bin/env bash
# Builds deploy/Dockerfile on a base made of this machine's Debian packages, without Docker and
# without a registry of images, and tries it: it is not root, holds no secret, refuses wrong
# settings, has the three commands, takes a job and leaves on SIGTERM.
set -euo pipefail
cd "$(dirname "$0")/.."
for program in buildah mmdebstrap; do
  command -v "$program" > /dev/null || { echo "make image needs $program: apt install buildah mmdebstrap" >&2; exit 1; }
done
work=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
buildah() { command buildah --root "$work/root" --runroot "$work/run" "$@"; }
trap 'rm -rf "$work"' EXIT

echo "The base"
mmdebstrap --quiet --variant=minbase --include=python3-venv,ca-certificates "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$work/base.tar"
base=$(buildah from scratch)
buildah add --quiet "$base" "$work/base.tar" / > /dev/null
buildah commit --quiet "$base" localhost/base > /dev/null
buildah rm "$base" > /dev/null

echo "The image"
# Packages come from the host's pip, whatever index it is set up with.
python3 -m pip download --quiet --quiet --disable-pip-version-check --require-hashes -d "$work/wheels" \
  -r "requirements/${LOCK:-production}.txt" -r requirements/flower.txt
printf '[global]\nno-index = true\nfind-links = /wheels\n' > "$work/pip.conf"
buildah bud --quiet --volume "$work/wheels:/wheels:ro" --volume "$work/pip.conf:/etc/pip.conf:ro" --build-arg BASE=localhost/base --build-arg LOCK="${LOCK:-production}" \
  -f deploy/Dockerfile -t localhost/pilotlight . > /dev/null
image=$(buildah from localhost/pilotlight)
run() { buildah run "$image" -- "$@"; }

echo "What it does"
expect() { [[ "$2" == *"$3"* ]] && echo "  $1" || { echo "  FAILED: $1: $2" >&2; exit 1; }; }
expect "it does not run as root" "$(run id -u)" 10001
expect "it may write nothing of its own" "$(run sh -c 'touch /app/x 2>&1 || echo refused')" refused
expect "a wrong setting is named, in JSON" "$(run env REDIS_URL=http://a python -m bridge 2>&1 || true)" '"event": "REDIS_URL is wrong'
expect "the worker starts and names one, too" "$(run env REDIS_URL=http://a celery -A tasks worker 2>&1 || true)" '"event": "REDIS_URL is wrong'
expect "Flower is there" "$(run env REDIS_URL=redis://127.0.0.1:1/0 celery -A tasks flower --help 2>&1)" "TORNADO_ARGV"
expect "no secret and no test is in it" "$(run sh -c 'ls -A /app')" "bridge"
[ -z "$(run sh -c 'ls -A /app | grep -E "^(\.env|tests|local|app)$" || true')" ] || exit 1
folder=$(buildah mount "$image")
trap 'command buildah --root "$work/root" --runroot "$work/run" umount --all > /dev/null; rm -rf "$work"' EXIT
echo "  its size without the base is $(du -sm "$folder/venv" "$folder/app" | awk '{sum += $1} END {print sum}') MB"
PILOTLIGHT_IMAGE=$folder .pilotlight/venv/bin/pytest --quiet -n 0 tests/deploy/test_image.py
