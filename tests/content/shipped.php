<?php
// php shipped.php WORDPRESS OUTPUT: the templates and patterns that a WordPress tree ships with, as documents "shipped-*.html".
// They are real markup by others, so they are read where they lie and never kept here. Prints how many there are.
[ , $root, $output ] = $argv;
define( 'ABSPATH', "$root/" );

// What patterns call, as far as it decides their text.
function __( $text ) { return $text; }
function _x( $text ) { return $text; }
function esc_html( $text ) { return htmlspecialchars( $text, ENT_QUOTES, 'UTF-8', false ); }
function esc_attr( $text ) { return esc_html( $text ); }
function esc_html__( $text ) { return esc_html( $text ); }
function esc_attr__( $text ) { return esc_html( $text ); }
function esc_html_x( $text ) { return esc_html( $text ); }
function esc_attr_x( $text ) { return esc_html( $text ); }
function esc_html_e( $text ) { echo esc_html( $text ); }
function esc_attr_e( $text ) { echo esc_html( $text ); }
function esc_url( $url ) { return $url; }
function wp_kses_post( $html ) { return $html; }
function get_template_directory_uri() { return 'https://example.test/wp-content/themes/theme'; }

$count = 0;
function keep( $name, $text ) {
	global $output, $count;
	file_put_contents( "$output/shipped-" . preg_replace( '/[^a-z0-9-]+/', '-', strtolower( $name ) ) . '.html', $text );
	$count++;
}

foreach ( glob( "$root/wp-content/themes/*/{templates,parts}/*.html", GLOB_BRACE ) as $file ) {
	keep( basename( dirname( $file, 2 ) ) . '-' . basename( dirname( $file ) ) . '-' . basename( $file, '.html' ), file_get_contents( $file ) );
}
foreach ( glob( "$root/wp-content/themes/*/patterns/*.php" ) as $file ) {
	ob_start();
	require $file;
	keep( basename( dirname( $file, 2 ) ) . '-' . basename( $file, '.php' ), ob_get_clean() );
}
foreach ( glob( "$root/wp-includes/block-patterns/*.php" ) as $file ) {
	keep( 'core-' . basename( $file, '.php' ), ( require $file )['content'] );
}
echo "$count\n";
