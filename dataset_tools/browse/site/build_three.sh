#!/bin/sh
# Makes three.min.js, which is committed: three.js as one classic script, so that it runs from file:// and offline.
# Needs node and npm. Run it where you like; it writes beside itself.
set -e
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/three_entry.js" "$work/entry.js"
cd "$work"
npm install --no-audit --no-fund --no-save three@0.187.0 esbuild@0.28.2
npx esbuild entry.js --bundle --minify --format=iife --global-name=THREE --target=es2020 --legal-comments=inline \
  --outfile="$here/three.min.js"
cp node_modules/three/LICENSE "$here/three.LICENSE.txt"
