<?php
// php judge.php WORDPRESS DOCUMENTS OUTPUT: WordPress's own parser judges what corpus_test wrote to OUTPUT.
// Prints one line for each thing that is wrong, then "N judged, M wrong".
[ , $root, $documents, $output ] = $argv;
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

$judged = 0;
$wrong  = 0;
function judge( $good, $file, $what ) {
	global $judged, $wrong;
	$judged++;
	if ( ! $good ) {
		$wrong++;
		echo basename( $file ), ": $what\n";
	}
}

// The same list that corpus_test writes: name, and how long the block is, children after their parent.
// WordPress tells no offsets; the length follows from the tree as it was read, in documents it can write back unchanged.
function lines( $blocks, &$out ) {
	foreach ( $blocks as $block ) {
		if ( null === $block['blockName'] && '' === trim( $block['innerHTML'], " \t\n\r\v\f" ) ) {
			continue;
		}
		$out[] = strlen( serialize_block( $block ) ) . ' ' . ( $block['blockName'] ?? '-' );
		lines( $block['innerBlocks'], $out );
	}
}

function names( $blocks, &$out ) {
	foreach ( $blocks as $block ) {
		if ( null !== $block['blockName'] || '' !== trim( $block['innerHTML'], " \t\n\r\v\f" ) ) {
			$out[] = $block['blockName'] ?? '-';
			names( $block['innerBlocks'], $out );
		}
	}
}

function stray_text( $blocks ) {
	foreach ( $blocks as $block ) {
		if ( null === $block['blockName'] && '' !== trim( $block['innerHTML'] ) ) {
			return true;
		}
	}
	return false;
}

// A paragraph opened while another is open, anywhere in the markup.
function nested_paragraph( $html ) {
	return (bool) preg_match( '#<p[\s>](?:(?!</p>).)*<p[\s>]#s', preg_replace( '#<!--.*?-->|<script.*?</script>|<pre.*?</pre>#s', '', $html ) );
}

foreach ( array_merge( glob( "$documents/*.html" ), glob( "$output/*.html" ) ) as $file ) {
	$raw    = file_get_contents( $file );
	$blocks = parse_blocks( $raw );
	$tree   = file( "$output/" . basename( $file ) . '.tree', FILE_IGNORE_NEW_LINES );
	$ours   = array_map( fn( $line ) => explode( ' ', $line, 3 ), $tree );
	$theirs = array();
	names( $blocks, $theirs );
	judge( array_column( $ours, 2 ) === $theirs, $file, 'other blocks: ' . implode( ' ', $theirs ) );
	if ( serialize_blocks( $blocks ) === $raw ) {
		$theirs = array();
		lines( $blocks, $theirs );
		judge( array_map( fn( $line ) => "$line[1] $line[2]", $ours ) === $theirs, $file, 'other boundaries' );
	}
	$edited = "$output/" . basename( $file ) . '.edited';
	if ( is_file( $edited ) ) {
		$text = file_get_contents( $edited );
		$same = serialize_blocks( parse_blocks( $raw ) ) === $raw;
		judge( ! $same || serialize_blocks( parse_blocks( $text ) ) === $text, $edited, 'WordPress would write it back differently' );
		judge( nested_paragraph( $raw ) || ! nested_paragraph( $text ), $edited, 'a paragraph in a paragraph' );
	}
}
foreach ( glob( "$output/*.made" ) as $file ) {
	$text   = file_get_contents( $file );
	$blocks = parse_blocks( $text );
	judge( serialize_blocks( $blocks ) === $text, $file, 'WordPress would write it back differently' );
	judge( ! stray_text( $blocks ), $file, 'text outside of blocks' );
	judge( ! nested_paragraph( $text ), $file, 'a paragraph in a paragraph' );
}
echo "$judged judged, $wrong wrong\n";
