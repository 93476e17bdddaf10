<?php

declare(strict_types=1);

require __DIR__ . '/shop.php';

$shop = new Shop();
$path = parse_url($_SERVER['REQUEST_URI'] ?? '/', PHP_URL_PATH);

if ($path === '/health') {
    $health = $shop->health();
    $well = array_unique(array_values($health)) === ['ok'];
    http_response_code($well ? 200 : 503);
    header('Content-Type: application/json');
    echo json_encode(['healthy' => $well] + $health), "\n";
    exit;
}

if ($path === '/buy' && ($_SERVER['REQUEST_METHOD'] ?? '') === 'POST') {
    $sold = $shop->buy((int) ($_POST['product'] ?? 0));
    header('Location: /?' . ($sold ? 'sold' : 'gone'), true, 303);
    exit;
}

if ($path !== '/') {
    http_response_code(404);
    echo 'There is no such page';
    exit;
}

[$products, $cached] = $shop->products();
$visits = $shop->countVisit();
$text = fn (mixed $value): string => htmlspecialchars((string) $value, ENT_QUOTES);
?>
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The harbour shop</title>
<link rel="stylesheet" href="/style.css">
<h1>The harbour shop</h1>
<?php if (isset($_GET['sold'])): ?><p>Sold. Thank you!</p><?php elseif (isset($_GET['gone'])): ?><p>There is none left.</p><?php endif ?>
<table>
  <tr><th>Product<th>Price<th>In stock<th>
<?php foreach ($products as $product): ?>
  <tr>
    <td><?= $text($product['name']) ?>
    <td class="number"><?= $text($product['price']) ?> €
    <td class="number"><?= $text($product['stock']) ?>
    <td><form method="post" action="/buy"><button name="product" value="<?= $text($product['id']) ?>">Buy</button></form>
<?php endforeach ?>
</table>
<footer>
  Visit <?= $visits ?>, order <?= $shop->orders() ?>; the list came from the <?= $cached ? 'cache' : 'database' ?>.
  Served by <?= $text(gethostname()) ?>.
</footer>
