<?php
// php blocks.php WORDPRESS < post_content: what WordPress's own parser sees: one JSON object.
[ , $root ] = $argv;
define( 'ABSPATH', "$root/" );
define( 'WPINC', 'wp-includes' );
require "$root/wp-includes/plugin.php";
require "$root/wp-includes/class-wp-block-parser.php";
require "$root/wp-includes/blocks.php";
if ( ! function_exists( 'wp_json_encode' ) ) {
	function wp_json_encode( $data, $options = 0, $depth = 512 ) { // its own lives among functions that want a database
		return json_encode( $data, $options, $depth );
	}
}
$content = stream_get_contents( STDIN );
$blocks  = parse_blocks( $content );
$names   = array();
$walk    = function ( $blocks ) use ( &$walk, &$names ) {
	foreach ( $blocks as $block ) {
		// Text outside any block, but for the blank lines between two.
		if ( $block['blockName'] || trim( $block['innerHTML'] ) !== '' ) {
			$names[] = $block['blockName'] ?? 'freeform';
		}
		$walk( $block['innerBlocks'] );
	}
};
$walk( $blocks );
echo json_encode( array( 'same' => serialize_blocks( $blocks ) === $content, 'names' => $names, 'nested_p' => (bool) preg_match( '/<p[^>]*>\s*<p[\s>]/', $content ) ) );
