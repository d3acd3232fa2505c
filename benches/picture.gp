# Draws `picture` from `data`: a line a bar, from the top down: row, label, median, lowest, highest
# (milliseconds), colour; a line without numbers is a heading. `rows` is their number.

set terminal svg size 860, 80 + 22 * rows font 'sans-serif,12' background '#ffffff'
set output picture
set datafile separator "\t"
set title 'Time, milliseconds (shorter is better; the scale is logarithmic)' font ',13'
set logscale x
set xrange [0.1:100000]
set yrange [rows - 0.3:-0.7]
set format x "%g"
set grid xtics lc rgb '#d8d8d8' lt 1 lw 0.5
set border 1
set tics nomirror scale 0
set lmargin 34
set rmargin 14
set style fill solid noborder
unset key

text(value) = value >= 100 ? sprintf('%.0f', value) : value >= 10 ? sprintf('%.1f', value) : sprintf('%.2f', value)

plot data using 3:1:(1):3:($1 - 0.36):($1 + 0.36):6:ytic(2) with boxxyerror fillcolor rgb variable, \
     data using 3:1:4:5 with xerrorbars lc rgb '#303030' lw 1 pt 7 ps 0, \
     data using ($5 * 1.15):1:(text($3)) with labels left font ',10'
