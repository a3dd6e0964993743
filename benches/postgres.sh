#!/usr/bin/env bash
# The same file into the same PostgreSQL: a GBK DBF by fenhe, ogr2ogr and pgloader, a CSV by fenhe and psql \copy.
# Debian packages postgresql, gdal-bin, pgloader, time. Prints medians of wall and client CPU seconds; counts must agree.
#
#   benches/postgres.sh              starts a server of its own with tests/services.sh, unless FENHE_POSTGRES names one
#   FLAGS="--threads 1" ROWS=500000 ROUNDS=5 FENHE=target/release/fenhe benches/postgres.sh
set -euo pipefail
cd "$(dirname "$0")/.."
rows=${ROWS:-500000}
rounds=${ROUNDS:-3}
target=${CARGO_TARGET_DIR:-target}
fenhe=${FENHE:-$target/release/fenhe}
generate=${GENERATE:-$target/release/examples/generate}
[ -x "$fenhe" ] || cargo build --release --locked -p fenhe-cli
[ -x "$generate" ] || cargo build --release --locked -p fenhe-testkit --example generate
for tool in ogr2ogr pgloader psql /usr/bin/time; do
    command -v "$tool" >/dev/null || { echo "missing: $tool" >&2; exit 2; }
done
folder=$(mktemp -d)
if [ -z "${FENHE_POSTGRES:-}" ]; then
    eval "$(tests/services.sh up postgres)"
    trap 'tests/services.sh down postgres; rm -rf "$folder"' EXIT
else
    trap 'rm -rf "$folder"' EXIT
fi
url=$FENHE_POSTGRES
"$generate" dbf "$rows" "$folder/registry.dbf"
# Five codes behind the last level-1 character are no characters in GB 2312: pgloader ends at the first of them.
LC_ALL=C sed -i 's/\xd7[\xfa-\xfe]/\xd7\xf9/g' "$folder/registry.dbf"
"$generate" csv "$rows" "$folder/registry.csv"
sql() { psql -qAtX "$url" -c "$1"; }

# NAME COMMAND...: one run into a table of this name; a line "wall cpu" into NAME.times
run() {
    local name=$1
    shift
    sql "CHECKPOINT"
    /usr/bin/time -f '%e %U %S' -o "$folder/time" "$@" >"$folder/$name.log" 2>&1 || { cat "$folder/$name.log" >&2; exit 1; }
    tail -n 1 "$folder/time" | awk '{ print $1, $2 + $3 }' >>"$folder/$name.times"
    [ "$(sql "SELECT count(*) FROM $name")" = "$rows" ] || { echo "$name: other rows than $rows" >&2; cat "$folder/$name.log" >&2; exit 1; }
}

convert() { # FILE TABLE
    "$fenhe" convert "$1" "$url#$2" --receipt "$folder/receipt.json" --rejects "$folder/rejects.ndjson" ${FLAGS:-}
}
export -f convert
export fenhe folder url

ogr_url=$(python3 - "$url" <<'P'
import sys, urllib.parse as u
p = u.urlparse(sys.argv[1])
print(f"PG:host={p.hostname} port={p.port or 5432} user={p.username} dbname={p.path[1:]}" + (f" password={p.password}" if p.password else ""))
P
)
for _ in $(seq "$rounds"); do
    sql 'SET client_min_messages = error; DROP TABLE IF EXISTS dbf_fenhe, dbf_ogr2ogr, registry, dbf_pgloader, csv_fenhe, csv_psql, _fenhe_watermark'
    run dbf_fenhe bash -c "convert $folder/registry.dbf dbf_fenhe"
    run dbf_ogr2ogr ogr2ogr -f PostgreSQL "$ogr_url" "$folder/registry.dbf" -nln dbf_ogr2ogr -oo ENCODING=CP936 --config PG_USE_COPY YES
    cat >"$folder/load" <<L
LOAD DBF FROM '$folder/registry.dbf' WITH ENCODING gbk INTO $url TARGET TABLE public.dbf_pgloader WITH create table;
L
    run dbf_pgloader pgloader "$folder/load"
    run csv_fenhe bash -c "convert $folder/registry.csv csv_fenhe"
    sql 'CREATE TABLE csv_psql (LIKE csv_fenhe)'
    run csv_psql psql -qX "$url" -c "\\copy csv_psql from '$folder/registry.csv' with (format csv, header true)"
done

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
echo "$rows rows, $rounds rounds; medians"
printf '%-14s %8s %8s\n' '' 'wall s' 'CPU s'
for name in dbf_fenhe dbf_ogr2ogr dbf_pgloader csv_fenhe csv_psql; do
    printf '%-14s %8s %8s\n' "$name" "$(cut -d' ' -f1 "$folder/$name.times" | median)" "$(cut -d' ' -f2 "$folder/$name.times" | median)"
done
ratio() { # A B
    paste -d' ' "$folder/$1.times" "$folder/$2.times" | awk '{ print $1 / $3 }' | median
}
printf 'ogr2ogr / fenhe   %s (wall)\n' "$(ratio dbf_ogr2ogr dbf_fenhe)"
printf 'pgloader / fenhe  %s (wall)\n' "$(ratio dbf_pgloader dbf_fenhe)"
printf 'fenhe / psql      %s (wall)\n' "$(ratio csv_fenhe csv_psql)"
