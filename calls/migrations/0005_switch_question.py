import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('calls', '0004_supervision'),
    ]

    operations = [
        migrations.CreateModel(
            name='SwitchQuestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('call_uuid', models.CharField(max_length=128)),
                ('asked_at', models.DateTimeField()),
                ('holds_it', models.BooleanField(null=True)),
                ('switch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='questions', to='calls.switch')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('holds_it', None)), fields=['switch', 'id'], name='question_open')],
            },
        ),
    ]
