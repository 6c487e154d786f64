# SPDX-License-Identifier: GPL-2.0
# Sums KTAP: prints "passed failed skipped". A result with subtests before it is
# their sum and not counted again, unless it fails and none of them did. A plan
# that was not fulfilled and "Bail out!" are failures.

function close_deeper(depth,    d) {
	for (d in plan)
		if (d + 0 > depth) {
			if (plan[d] != seen[d])
				failed++
			delete plan[d]
			delete seen[d]
		}
}

{
	sub(/\r$/, "")
	depth = 0
	line = $0
	# A level is two or four spaces, or "# " as kselftest's runner prefixes it.
	while (match(line, /^(    |  |# )/)) {
		depth += RLENGTH == 4 ? 2 : 1
		line = substr(line, RLENGTH + 1)
	}
}

line ~ /^Bail out!/ { failed++ }
line ~ /^1\.\.[0-9]+/ {
	close_deeper(depth)
	split(line, n, /\.\./)
	plan[depth] = n[2] + 0
	seen[depth] = 0
}
line ~ /^(not )?ok [0-9]+/ {
	close_deeper(depth)
	if (depth in seen)
		seen[depth]++
	below = below_failed = 0
	for (d in count)
		if (d + 0 > depth) {
			below += count[d]
			below_failed += bad[d]
			delete count[d]
			delete bad[d]
		}
	good = line ~ /^ok/
	if (below) {
		if (!good && !below_failed) {
			failed++
			below_failed++
		}
	} else if (line ~ /# *(SKIP|TODO|XFAIL)/)
		skipped++
	else if (good)
		passed++
	else {
		failed++
		below_failed++
	}
	count[depth]++
	bad[depth] += below_failed
}

END {
	close_deeper(-1)
	print passed + 0, failed + 0, skipped + 0
}
